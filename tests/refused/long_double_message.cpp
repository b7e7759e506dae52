// refused: a message cannot hold a long double, which is another type on other machines
#include <brood/codec/message.hpp>

int main()
{
    brood::buffer bytes;
    brood::encode(bytes, std::vector<long double>{1});
}
