// The oldest Asio that will do.
#define ASIO_VERSION 102200
