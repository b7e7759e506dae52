// refused: arguments behind the settings of a pool are for the object
#include <brood/pool/pool.hpp>

int work()
{
    return 0;
}

int main()
{
    brood::pool<work> calls(brood::pool_settings{}, 7);
}
