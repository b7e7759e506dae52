// refused: takes what stands behind its process& by value or const&
#include <brood/process/fork.hpp>

brood::task<> work(brood::process&, int& number)
{
    ++number;
    co_return;
}

int main()
{
    int number = 1;
    auto child = brood::fork<work>(number);
}
