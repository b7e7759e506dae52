// As clang reads it: without coroutines.
#define ASIO_DETAIL_CONFIG_HPP
