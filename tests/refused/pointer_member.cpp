// refused: a message cannot hold a pointer; send the value it points to
#include <brood/codec/message.hpp>

struct answer
{
    int* number = nullptr;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number);
    }
};

int main()
{
    brood::check_message<answer>();
    brood::buffer bytes;
    brood::encode(bytes, answer());
}
