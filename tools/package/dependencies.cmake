# What brood needs, for its own build and for those who use it installed: brood_ASIO_DIR,
# brood_CEREAL_DIR and, for brood::http alone, brood_BOOST_DIR hold the headers; brood_CRYPTO says
# whether OpenSSL::SSL is there. brood_MISSING is a sentence when something is not there.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads)

set(brood_MISSING)
foreach(pair "ASIO;asio.hpp;Asio;libasio-dev" "CEREAL;cereal/cereal.hpp;cereal;libcereal-dev"
        "BOOST;boost/beast/http/basic_parser.hpp;Boost;libboost1.81-dev")
    list(GET pair 0 library)
    list(GET pair 1 header)
    list(GET pair 2 name)
    list(GET pair 3 package)
    find_path(brood_${library}_DIR ${header} DOC "Where ${header} is")
    mark_as_advanced(brood_${library}_DIR)
    if(NOT brood_${library}_DIR AND NOT library STREQUAL BOOST)
        set(brood_MISSING "${name} was not found: install it (Debian: ${package}), \
or set brood_${library}_DIR to the folder of its headers")
    endif()
endforeach()
if(NOT Threads_FOUND)
    set(brood_MISSING "the threads of this system were not found")
endif()

# OpenSSL, for brood::remote alone.
find_package(OpenSSL 1.1.1 QUIET COMPONENTS SSL)
set(brood_CRYPTO ${OPENSSL_FOUND})

# CMake says it when somebody links brood::remote.
set(brood_NO_CRYPTO "brood::remote was left out: it needs OpenSSL 1.1.1 (Debian: \
libssl-dev), found when brood was built and now")

# CMake says it when somebody links brood::http.
set(brood_NO_BOOST "brood::http was left out: it needs the headers of Boost (Debian: \
libboost1.81-dev), found when brood was built, or brood_BOOST_DIR set to their folder")

# Asio before 1.26 does not see that clang has coroutines; later ones say the same themselves.
set(brood_DEFINITIONS
    "$<$<CXX_COMPILER_ID:Clang>:ASIO_HAS_CO_AWAIT=1;ASIO_HAS_STD_COROUTINE=1>")
