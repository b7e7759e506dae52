// refused: a member of a task_group is a brood::task<>
#include <brood/base/task_group.hpp>

brood::task<int> number()
{
    co_return 7;
}

int main()
{
    brood::task_group group;
    group.start(number);
}
