// refused: brood: Asio 1.22 or newer is needed
// flags: -I{tests}/refused/old_asio
#include <brood/brood.hpp>
