#include <driftless/codec/encrypted.hpp>

#include <cstdint>
#include <string>

int main() {
    using field = driftless::encrypted<std::uint64_t, std::string>;
    return driftless::decode<field>(std::string_view{"\0", 1}).empty() ? 0 : 1;
}
