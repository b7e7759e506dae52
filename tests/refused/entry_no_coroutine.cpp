// refused: what a child runs is a coroutine: it returns brood::task<>
#include <brood/process/fork.hpp>

void work(brood::process&) {}

int main()
{
    auto child = brood::fork<work>();
}
