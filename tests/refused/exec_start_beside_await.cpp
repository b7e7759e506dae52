// refused by g++ 12: name the value first
#include <brood/process/exec.hpp>

int main()
{
    auto listing = brood::exec("ls", brood::exec_options({.cwd = "/"}));
}
