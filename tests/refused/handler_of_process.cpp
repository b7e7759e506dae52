// refused: a handler of calls takes its request by value or const&
#include <brood/process/run.hpp>

int twice(brood::process&)
{
    return 2;
}

brood::task<> work(brood::process& self)
{
    co_await self.serve(twice);
}

int main()
{
    return brood::run(work);
}
