// refused: what a pool calls takes its parameters by value or const&
#include <brood/pool/pool.hpp>

int work(int& number)
{
    return ++number;
}

int main()
{
    brood::pool<work> calls;
}
