// refused: brood: exceptions are needed: compile without -fno-exceptions
// flags: -fno-exceptions
#include <brood/brood.hpp>
