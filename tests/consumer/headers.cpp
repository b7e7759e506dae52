// SPDX-License-Identifier: BSL-1.0
// What a target of the headers alone has to give: their folder, those of the libraries below, and
// no word of a library of brood. A small header says it in a second.
#include <brood/base/signal.hpp>
#include <brood/codec/archive.hpp>
#include <brood/version.hpp>

#include <asio/io_context.hpp>
#ifdef WITH_HTTP
#include <boost/beast/http/field.hpp>
#endif
#ifdef WITH_REMOTE
#include <openssl/crypto.h>
#endif

#include <iostream>

#ifdef BROOD_SEPARATE_COMPILATION
#error the headers alone were asked for
#endif

int main()
{
#ifdef WITH_REMOTE
    if (OpenSSL_version_num() == 0) // linked
        return 1;
#endif
    auto version = brood::current_version;
    std::cout << version.major << '.' << version.minor << '.' << version.patch << '\n';
}
