// refused: an argument does not convert to what the child takes in its place
#include <brood/cluster/cluster.hpp>

brood::task<> work(brood::process&, int)
{
    co_return;
}

int main()
{
    brood::cluster<work> workers({.size = 2}, "seven");
}
