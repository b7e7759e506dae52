// refused: a message cannot be a pointer; send the value it points to
#include <brood/codec/message.hpp>

int main()
{
    brood::check_message<int*>();
}
