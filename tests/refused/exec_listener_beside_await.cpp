// refused by g++ 12: name the value first
#include <brood/process/exec.hpp>

#include <memory>

int main()
{
    auto count = std::make_shared<int>();
    auto listener = [count](std::string_view)
    {
        ++*count;
    };
    brood::exec_options().on_out(listener); // by its name it is fine
    brood::exec_options().on_out([count](std::string_view) { ++*count; });
}
