#include <driftless/codec/subject_keys.hpp>

#include <cstdint>
#include <string>

int main() {
    driftless::encrypted<std::uint64_t, std::string> const email{};
    return driftless::open(email, 7, nullptr).is_empty() ? 0 : 1;
}
