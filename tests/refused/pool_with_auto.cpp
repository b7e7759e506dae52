// refused: a pool calls one function, captureless lambda or member function
#include <brood/pool/pool.hpp>

constexpr auto work = [](auto number)
{
    return number;
};

int main()
{
    brood::pool<work> calls;
}
