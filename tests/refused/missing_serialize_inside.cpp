// refused: a message needs a serialize function: template <class Archive> void serialize(Archive&
#include <brood/codec/message.hpp>

struct part
{
    int number = 0;
};

struct answer
{
    std::vector<part> parts;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(parts);
    }
};

int main()
{
    brood::check_message<answer>();
    brood::buffer bytes;
    brood::encode(bytes, answer());
}
