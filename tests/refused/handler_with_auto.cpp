// refused: a handler of calls is one function or lambda and names the type of its request
#include <brood/process/run.hpp>

brood::task<> work(brood::process& self)
{
    co_await self.serve([](auto number) { return 2 * number; });
}

int main()
{
    return brood::run(work);
}
