// refused: run() takes a function of brood::process&, or of nothing
#include <brood/process/run.hpp>

brood::task<> work(int, char**)
{
    co_return;
}

int main()
{
    return brood::run(work);
}
