// refused: what a child runs is one function or captureless lambda that names its types
#include <brood/process/fork.hpp>

int main()
{
    auto child = brood::fork<[](auto& self) -> brood::task<>
                             {
                                 co_await self.drain();
                             }>();
}
