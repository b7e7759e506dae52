// refused by clang: brood: this Asio was included before brood and without coroutines
// flags: -UASIO_HAS_CO_AWAIT -UASIO_HAS_STD_COROUTINE -I{tests}/refused/early_asio
#include <asio/detail/config.hpp>

#include <brood/impl/config.hpp>
