// An Asio that is too old.
#define ASIO_VERSION 102100
