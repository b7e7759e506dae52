// refused: a pool is called with as many arguments as its function has
#include <brood/pool/pool.hpp>

int work(int, int)
{
    return 0;
}

int main()
{
    brood::pool<work> calls;
    calls(1);
}
