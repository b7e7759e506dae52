// refused: brood: C++20 with coroutines is needed: compile with -std=c++20
// flags: -std=c++17
#include <brood/process/exit_status.hpp>

#include <brood/brood.hpp>
