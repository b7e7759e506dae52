// refused: brood: run-time type information is needed: compile without -fno-rtti
// flags: -fno-rtti
#include <brood/process/exit_status.hpp>

#include <brood/brood.hpp>
