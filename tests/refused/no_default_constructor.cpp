// refused: a message needs a default constructor, to be read into
#include <brood/codec/message.hpp>

struct answer
{
    explicit answer(int value) : number(value) {}

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number);
    }

    int number;
};

int main()
{
    brood::check_message<answer>();
}
