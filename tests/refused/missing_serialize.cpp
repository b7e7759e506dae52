// refused: a message needs a serialize function: template <class Archive> void serialize(Archive&
#include <brood/codec/message.hpp>

struct answer
{
    int number = 0;
};

int main()
{
    brood::check_message<answer>();
}
