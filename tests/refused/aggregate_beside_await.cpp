// refused by g++ 12: name the value first
#include <brood/base/internal/temporary.hpp>

#include <string>

struct message
{
    std::string text;
};

int main()
{
    brood::detail::check_temporary<message>();
}
