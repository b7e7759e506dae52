// refused: run() takes a coroutine: a function that returns brood::task<>
#include <brood/process/run.hpp>

int work(brood::process&)
{
    return 0;
}

int main()
{
    return brood::run(work);
}
