// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_ALIGNED_BYTES_HPP
#define DRIFTLESS_LOG_DETAIL_ALIGNED_BYTES_HPP

#include <driftless/log/detail/format.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace driftless::inline v0::detail {

/// Bytes on a multiple of 64, as blocks need them. Not initialised.
class aligned_bytes {
    struct give_back {
        void operator()(char* bytes) const noexcept { ::operator delete(bytes, std::align_val_t{alignment_on_disk}); }
    };
    std::unique_ptr<char, give_back> bytes_;
    std::size_t size_ = 0;

public:
    aligned_bytes() = default;
    explicit aligned_bytes(std::size_t size) { reserve(size, 0); }

    [[nodiscard]] char* data() const noexcept { return bytes_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// At least `size` bytes, of which the first `kept` stay what they are.
    void reserve(std::size_t size, std::size_t kept) {
        if (size <= size_) return;
        std::unique_ptr<char, give_back> fresh{
            static_cast<char*>(::operator new(size, std::align_val_t{alignment_on_disk}))};
        if (kept != 0) std::memcpy(fresh.get(), bytes_.get(), kept);
        bytes_ = std::move(fresh);
        size_ = size;
    }
};
}  // namespace driftless::inline v0::detail
#endif
