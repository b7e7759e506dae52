// refused: a message cannot hold a const member, which cannot be read
#include <brood/codec/message.hpp>

struct answer
{
    const int number = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number);
    }
};

int main()
{
    brood::decode<answer>({});
}
