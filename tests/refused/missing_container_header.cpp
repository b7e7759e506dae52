// refused: include <cereal/types/map.hpp> to send a std::map
#include <brood/codec/message.hpp>

#include <map>

struct answer
{
    std::map<int, int> numbers;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(numbers);
    }
};

int main()
{
    brood::check_message<answer>();
    brood::decode<answer>({});
}
