// refused: an argument does not convert to what the child takes in its place
#include <brood/process/fork.hpp>

brood::task<> work(brood::process&, int)
{
    co_return;
}

int main()
{
    auto child = brood::fork<work>("seven");
}
