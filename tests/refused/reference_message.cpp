// refused: a message cannot be a reference; send the value it refers to
#include <brood/codec/message.hpp>

int main()
{
    brood::check_message<int&>();
}
