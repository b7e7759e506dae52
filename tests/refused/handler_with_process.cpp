// refused: a handler of calls takes its request and nothing else
#include <brood/process/run.hpp>

int twice(brood::process&, int number)
{
    return 2 * number;
}

brood::task<> work(brood::process& self)
{
    co_await self.serve(twice);
}

int main()
{
    return brood::run(work);
}
