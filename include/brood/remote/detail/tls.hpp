// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <brood/remote/detail/secret.hpp>
#include <brood/wire/internal/cipher.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct evp_pkey_st;
struct ssl_st;
struct ssl_ctx_st;

namespace brood::detail
{

/// The certificate of a primary, made for this run and known by nobody before: it lives in memory
/// alone. A worker knows it by its mark, the SHA-256 of it, which its bootstrap says.
class tls_identity
{
public:
    /// A new key on P-256 and a certificate that it signs itself. Throws std::runtime_error when
    /// OpenSSL makes none.
    static std::shared_ptr<const tls_identity> make();

    /// One on Ed25519 that is always the same for a secret: whoever knows that knows its mark.
    /// Throws std::runtime_error when OpenSSL makes none.
    static std::shared_ptr<const tls_identity> from(const secret& shared);

    const secret& mark() const noexcept { return mark_; }

    ::ssl_ctx_st* context() const noexcept { return context_.get(); }

private:
    static std::shared_ptr<const tls_identity> of_key(const std::shared_ptr<::evp_pkey_st>& key);

    std::shared_ptr<::ssl_ctx_st> context_;
    secret mark_ = {};
};

/// One end of a connection of TLS 1.3, by OpenSSL; no other version is spoken. No session is
/// resumed, and nothing is sent early.
/// https://www.rfc-editor.org/rfc/rfc8446
class tls final : public cipher
{
public:
    /// The primary's end, which shows this certificate.
    static std::shared_ptr<tls> of_primary(const tls_identity& identity);

    /// The worker's end, which goes on with the primary of this mark and with nobody else.
    static std::shared_ptr<tls> of_worker(const secret& mark);

    enum class handshake
    {
        done,
        reads,  ///< Goes on when the socket is readable.
        writes, ///< Goes on when the socket is writable.
        failed, ///< why() says why.
    };

    /// Goes on with the handshake, which comes before anything else.
    handshake shake(int socket);

    /// Why that failed, for people.
    const std::string& why() const noexcept { return why_; }

    ssize_t send(int socket, std::span<const std::byte> bytes) override;

    bool holds() const noexcept override { return written_ < outgoing_.size(); }

    bool flush(int socket) override;

    bool end(int socket) override;

    ssize_t receive(int socket, std::span<std::byte> room) override;

    std::size_t held() const noexcept override;

private:
    friend struct tls_socket;

    explicit tls(::ssl_ctx_st* context);

    int receive_some(char* room, int size);

    static int verify(void* certificates, void* self);

    std::shared_ptr<::ssl_st> session_;
    int socket_ = -1;                 // of the call that runs
    secret mark_ = {};                // of the one certificate that is right
    std::vector<std::byte> outgoing_; // encrypted
    std::size_t written_ = 0;         // of that
    bool starved_ = true;             // nothing more comes out before something comes in
    bool emptied_ = false;            // the socket, by the call that runs
    bool at_end_ = false;
    int error_ = 0;
    std::string why_;
};

} // namespace brood::detail

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/tls.ipp>
#endif
