// refused: an argument does not convert to what the function of the pool takes
#include <brood/pool/pool.hpp>

int work(int)
{
    return 0;
}

int main()
{
    brood::pool<work> calls;
    calls("one");
}
