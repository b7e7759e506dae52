// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/remote/detail/tls.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdexcept>
#include <sys/socket.h>
#include <utility>

namespace brood::detail
{

// ---- What OpenSSL reads from and writes to

#ifdef MSG_NOSIGNAL
inline constexpr int quiet_send = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
inline constexpr int quiet_send = MSG_DONTWAIT;
#endif

/// The socket of the call that runs, as a BIO. Writing never waits: it only collects.
struct tls_socket
{
    static ::BIO_METHOD* method()
    {
        static auto made = []
        {
            auto result = ::BIO_meth_new(BIO_TYPE_SOURCE_SINK, "brood");
            ::BIO_meth_set_write(result, &write);
            ::BIO_meth_set_read(result, &read);
            ::BIO_meth_set_ctrl(result, &control);
            return result;
        }();
        return made;
    }

    static tls& of(::BIO* bio) { return *static_cast<tls*>(::BIO_get_data(bio)); }

    static int write(::BIO* bio, const char* bytes, int size)
    {
        auto from = reinterpret_cast<const std::byte*>(bytes);
        auto& to = of(bio).outgoing_;
        to.insert(to.end(), from, from + size);
        return size;
    }

    static int read(::BIO* bio, char* room, int size)
    {
        auto& from = of(bio);
        ::BIO_clear_retry_flags(bio);
        auto count = from.receive_some(room, size);
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            ::BIO_set_retry_read(bio);
        else if (count < 0)
            from.error_ = errno;
        else if (count == 0)
            from.at_end_ = true;
        return count;
    }

    static long control(::BIO* bio, int what, long, void*)
    {
        if (what == BIO_CTRL_EOF)
            return of(bio).at_end_ ? 1 : 0;
        return what == BIO_CTRL_FLUSH ? 1 : 0;
    }
};

// ---- The certificate

/// What OpenSSL says of its last failure.
inline std::string tls_failure()
{
    std::array<char, 256> text{};
    auto code = ::ERR_peek_last_error();
    if (code == 0)
        return "OpenSSL does not say why";
    ::ERR_error_string_n(code, text.data(), text.size());
    ::ERR_clear_error();
    return text.data();
}

template <class Given>
Given check_tls(Given given, const char* what)
{
    if (!given)
        throw std::runtime_error(std::string("brood: ") + what + ": " + tls_failure());
    return given;
}

inline std::shared_ptr<::SSL_CTX> tls_context(const ::SSL_METHOD* side)
{
    std::shared_ptr<::SSL_CTX> result(check_tls(::SSL_CTX_new(side), "begin TLS"), &::SSL_CTX_free);
    constexpr std::size_t at_once = std::size_t{64} << 10;
    check_tls(::SSL_CTX_set_min_proto_version(result.get(), TLS1_3_VERSION) == 1 &&
                  ::SSL_CTX_set_max_proto_version(result.get(), TLS1_3_VERSION) == 1 &&
                  ::SSL_CTX_set_num_tickets(result.get(), 0) == 1,
              "ask for TLS 1.3");
    ::SSL_CTX_set_session_cache_mode(result.get(), SSL_SESS_CACHE_OFF);
    ::SSL_CTX_set_mode(result.get(), SSL_MODE_RELEASE_BUFFERS);
    ::SSL_CTX_set_read_ahead(result.get(), 1);
    ::SSL_CTX_set_default_read_buffer_len(result.get(), at_once);
    return result;
}

inline std::shared_ptr<::EVP_PKEY> make_key()
{
    std::shared_ptr<::EVP_PKEY_CTX> maker(::EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nullptr),
                                          &::EVP_PKEY_CTX_free);
    ::EVP_PKEY* made = nullptr;
    auto curve = NID_X9_62_prime256v1;
    check_tls(maker && ::EVP_PKEY_keygen_init(maker.get()) == 1 &&
                  ::EVP_PKEY_CTX_set_ec_paramgen_curve_nid(maker.get(), curve) == 1 &&
                  ::EVP_PKEY_keygen(maker.get(), &made) == 1,
              "make a key for TLS");
    return {made, &::EVP_PKEY_free};
}

/// A key that everybody has who has the secret, and nobody else. Its signatures are always the
/// same, so that its certificate is, too. https://www.rfc-editor.org/rfc/rfc8032
inline std::shared_ptr<::EVP_PKEY> key_from(const secret& of)
{
    auto seed = prove(of, {bytes_of("brood: key")});
    auto made = ::EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                               reinterpret_cast<const unsigned char*>(seed.data()),
                                               seed.size());
    return {check_tls(made, "make a key for TLS"), &::EVP_PKEY_free};
}

inline std::shared_ptr<::X509> make_certificate(::EVP_PKEY* key)
{
    std::shared_ptr<::X509> made(check_tls(::X509_new(), "make a certificate"), &::X509_free);
    constexpr long version_3 = 2;
    auto hash = ::EVP_PKEY_base_id(key) == EVP_PKEY_ED25519 ? nullptr : ::EVP_sha256();
    auto from = ::X509_getm_notBefore(made.get()), until = ::X509_getm_notAfter(made.get());
    auto name = ::X509_get_subject_name(made.get());
    auto text = reinterpret_cast<const unsigned char*>("brood");
    // Nobody asks when it is good: its mark is what counts.
    check_tls(::X509_set_version(made.get(), version_3) == 1 &&
                  ::ASN1_INTEGER_set(::X509_get_serialNumber(made.get()), 1) == 1 &&
                  ::ASN1_TIME_set_string(from, "20000101000000Z") == 1 &&
                  ::ASN1_TIME_set_string(until, "99991231235959Z") == 1 &&
                  ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
                  ::X509_set_issuer_name(made.get(), name) == 1 &&
                  ::X509_set_pubkey(made.get(), key) == 1 &&
                  ::X509_sign(made.get(), key, hash) != 0,
              "make a certificate");
    return made;
}

inline secret mark_of(const ::X509* certificate)
{
    secret result{};
    unsigned size = 0;
    auto room = reinterpret_cast<unsigned char*>(result.data());
    check_tls(::X509_digest(certificate, ::EVP_sha256(), room, &size) == 1 && size == result.size(),
              "take the mark of a certificate");
    return result;
}

BROOD_INLINE std::shared_ptr<const tls_identity> tls_identity::make()
{
    return of_key(make_key());
}

BROOD_INLINE std::shared_ptr<const tls_identity> tls_identity::from(const secret& shared)
{
    return of_key(key_from(shared));
}

BROOD_INLINE std::shared_ptr<const tls_identity>
tls_identity::of_key(const std::shared_ptr<::EVP_PKEY>& key)
{
    auto made = std::make_shared<tls_identity>();
    auto certificate = make_certificate(key.get());
    made->context_ = tls_context(::TLS_server_method());
    check_tls(::SSL_CTX_use_certificate(made->context(), certificate.get()) == 1 &&
                  ::SSL_CTX_use_PrivateKey(made->context(), key.get()) == 1,
              "use a certificate");
    made->mark_ = mark_of(certificate.get());
    return made;
}

// ---- One end

BROOD_INLINE int tls::receive_some(char* room, int size)
{
    // A read that did not fill its room has emptied the socket; what comes since wakes whoever
    // waits for it.
    errno = EAGAIN;
    if (emptied_)
        return -1;
    auto most = static_cast<std::size_t>(size);
    auto count = retry([&] { return ::recv(socket_, room, most, MSG_DONTWAIT); });
    emptied_ = count > 0 && count < size;
    return static_cast<int>(count);
}

BROOD_INLINE tls::tls(::SSL_CTX* context)
    : session_(check_tls(::SSL_new(context), "begin TLS"), &::SSL_free)
{
    auto bio = check_tls(::BIO_new(tls_socket::method()), "begin TLS");
    ::BIO_set_data(bio, this);
    ::BIO_set_init(bio, 1);
    ::SSL_set_bio(session_.get(), bio, bio);
}

BROOD_INLINE std::shared_ptr<tls> tls::of_primary(const tls_identity& identity)
{
    std::shared_ptr<tls> made(new tls(identity.context()));
    ::SSL_set_accept_state(made->session_.get());
    return made;
}

BROOD_INLINE std::shared_ptr<tls> tls::of_worker(const secret& mark)
{
    auto context = tls_context(::TLS_client_method());
    ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    std::shared_ptr<tls> made;
    // The session holds the context, which is of this connection alone.
    made.reset(new tls(context.get()));
    made->mark_ = mark;
    ::SSL_CTX_set_cert_verify_callback(
        context.get(), [](::X509_STORE_CTX* shown, void* self) { return verify(shown, self); },
        made.get());
    ::SSL_set_connect_state(made->session_.get());
    return made;
}

BROOD_INLINE int tls::verify(void* certificates, void* self)
{
    auto shown = ::X509_STORE_CTX_get0_cert(static_cast<::X509_STORE_CTX*>(certificates));
    auto wanted = static_cast<tls*>(self);
    if (shown != nullptr && is_same(mark_of(shown), wanted->mark_))
        return 1;
    wanted->why_ = "it shows another certificate than that of its run";
    return 0;
}

BROOD_INLINE tls::handshake tls::shake(int socket)
{
    socket_ = socket;
    emptied_ = false;
    ::ERR_clear_error();
    auto given = ::SSL_do_handshake(session_.get());
    auto next = ::SSL_get_error(session_.get(), given);
    if (given != 1 && next != SSL_ERROR_WANT_READ && why_.empty())
        why_ = at_end_ || error_ != 0 ? "it hung up before TLS had begun" : tls_failure();
    auto all = flush(socket);
    if (!all && errno != EAGAIN && errno != EWOULDBLOCK)
    {
        why_ = why_.empty() ? "it hung up before TLS had begun" : why_;
        return handshake::failed;
    }
    if (given != 1 && next != SSL_ERROR_WANT_READ)
        return handshake::failed;
    starved_ = given != 1;
    return !all ? handshake::writes : given == 1 ? handshake::done : handshake::reads;
}

BROOD_INLINE bool tls::flush(int socket)
{
    while (holds())
    {
        auto rest = std::span(outgoing_).subspan(written_);
        auto count = retry([&] { return ::send(socket, rest.data(), rest.size(), quiet_send); });
        if (count < 0)
            return false;
        written_ += static_cast<std::size_t>(count);
    }
    outgoing_.clear();
    written_ = 0;
    return true;
}

BROOD_INLINE ssize_t tls::send(int socket, std::span<const std::byte> bytes)
{
    if (!flush(socket))
        return -1;
    constexpr std::size_t most = std::size_t{64} << 10; // four records, one call
    bytes = bytes.first(std::min(bytes.size(), most));
    socket_ = socket;
    std::size_t taken = 0;
    ::ERR_clear_error();
    if (::SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &taken) != 1)
    {
        errno = EPIPE;
        return -1;
    }
    if (!flush(socket) && errno != EAGAIN && errno != EWOULDBLOCK)
        return -1;
    return static_cast<ssize_t>(taken);
}

BROOD_INLINE bool tls::end(int socket)
{
    ::ERR_clear_error();
    if ((::SSL_get_shutdown(session_.get()) & SSL_SENT_SHUTDOWN) == 0)
        ::SSL_shutdown(session_.get());
    return flush(socket) || (errno != EAGAIN && errno != EWOULDBLOCK);
}

BROOD_INLINE ssize_t tls::receive(int socket, std::span<std::byte> room)
{
    socket_ = socket;
    std::size_t total = 0;
    starved_ = emptied_ = false;
    while (total < room.size())
    {
        std::size_t count = 0;
        auto rest = room.subspan(total);
        ::ERR_clear_error();
        if (::SSL_read_ex(session_.get(), rest.data(), rest.size(), &count) == 1)
        {
            total += count;
            continue;
        }
        auto why = ::SSL_get_error(session_.get(), 0);
        starved_ = why == SSL_ERROR_WANT_READ;
        if (starved_ || total != 0)
            break;     // an end is told by the next call
        flush(socket); // what was wrong
        errno = error_ != 0 ? error_ : EBADMSG;
        return why == SSL_ERROR_ZERO_RETURN || at_end_ ? 0 : -1;
    }
    if (total != 0)
        return static_cast<ssize_t>(total);
    errno = EAGAIN;
    return -1;
}

BROOD_INLINE std::size_t tls::held() const noexcept
{
    constexpr std::size_t most = std::size_t{128} << 10; // read ahead, and one record
    return starved_ ? 0 : most;
}

} // namespace brood::detail
