// refused: what a pool calls returns a value
#include <brood/pool/pool.hpp>

const char* work()
{
    return "";
}

int main()
{
    brood::pool<work> calls;
}
