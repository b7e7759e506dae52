// refused: a handler of calls is one function or lambda and names the type of its request
#include <brood/process/run.hpp>

struct twice
{
    int operator()(int number) { return 2 * number; }
    double operator()(double number) { return 2 * number; }
};

brood::task<> work(brood::process& self)
{
    twice handler;
    co_await self.serve(handler);
}

int main()
{
    return brood::run(work);
}
