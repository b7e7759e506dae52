// refused: as many arguments as it has parameters behind its process&
#include <brood/process/fork.hpp>

brood::task<> work(brood::process&, int)
{
    co_return;
}

int main()
{
    auto child = brood::fork<work>();
}
