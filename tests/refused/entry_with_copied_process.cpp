// refused: what a child runs takes brood::process& as its first parameter
#include <brood/process/fork.hpp>

brood::task<> work(brood::process)
{
    co_return;
}

int main()
{
    auto child = brood::fork<work>();
}
