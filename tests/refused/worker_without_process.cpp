// refused: what a child runs takes brood::process& as its first parameter
#include <brood/cluster/cluster.hpp>

brood::task<> work()
{
    co_return;
}

int main()
{
    brood::cluster<work> workers;
}
