// refused: a message cannot be an array; send a std::string, std::array or std::vector
#include <brood/codec/message.hpp>

int main()
{
    brood::check_message<char[6]>();
}
