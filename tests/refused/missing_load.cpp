// refused: a message that has a save function needs a load function too
#include <brood/codec/message.hpp>

struct answer
{
    int number = 0;

    template <class Archive>
    void save(Archive& archive) const
    {
        archive(number);
    }
};

int main()
{
    brood::check_message<answer>();
}
