// refused: what a child runs takes brood::process& as its first parameter
#include <brood/process/fork.hpp>

brood::task<> work(int number)
{
    co_await brood::sleep(std::chrono::seconds(number));
}

int main()
{
    auto child = brood::fork<work>(7);
}
