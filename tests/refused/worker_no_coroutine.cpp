// refused: what a child runs is a coroutine: it returns brood::task<>
#include <brood/cluster/cluster.hpp>

int work(brood::process&)
{
    return 0;
}

int main()
{
    brood::cluster<work> workers;
}
