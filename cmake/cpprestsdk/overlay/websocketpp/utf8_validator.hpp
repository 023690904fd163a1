// `utf8_validator::validator` accepts every text; it takes the place of websocketpp's own, which decodes each byte of a
// text message one at a time (three quarters of the cost of a watch over WebSockets). To the transport a message is
// bytes, and the JSON reader, which takes them as text, refuses what is not UTF-8 (tests/unit/json/utf8_test.cpp).
#ifndef UTF8_VALIDATOR_HPP
#define UTF8_VALIDATOR_HPP

#include <cstdint>
#include <string>

namespace websocketpp {
namespace utf8_validator {

class validator {
public:
    bool consume(std::uint8_t) { return true; }

    template <typename iterator_type>
    bool decode(iterator_type, iterator_type) {
        return true;
    }

    bool complete() const { return true; }

    void reset() {}
};

inline bool validate(std::string const &) { return true; }

} // namespace utf8_validator
} // namespace websocketpp

#endif // UTF8_VALIDATOR_HPP
