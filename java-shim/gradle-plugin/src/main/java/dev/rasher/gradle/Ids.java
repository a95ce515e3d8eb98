package dev.rasher.gradle;

import dev.rasher.harness.ShardPlan;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Test ids and classes in the command's documents. */
final class Ids {
    private static final Pattern STRING = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*+)\"\\s*([,\\]])");
    private static final Pattern ESCAPE = Pattern.compile("\\\\(u[0-9a-fA-F]{4}|.)");

    private Ids() {}

    /** The list of strings under a key. */
    static List<String> read(String document, String key) {
        List<String> ids = new ArrayList<>();
        Matcher start = Pattern.compile('"' + key + "\":\\s*\\[\\s*").matcher(document);
        if (!start.find()) {
            return ids;
        }
        Matcher string = STRING.matcher(document).region(start.end(), document.length());
        while (string.lookingAt()) {
            ids.add(plain(string.group(1)));
            if (string.group(2).equals("]")) {
                break;
            }
            int next = string.end();
            while (Character.isWhitespace(document.charAt(next))) {
                next++;
            }
            string.region(next, document.length());
        }
        return ids;
    }

    /** A quoted string without its escapes. */
    static String plain(String quoted) {
        return ESCAPE.matcher(quoted).replaceAll(found -> {
            String code = found.group(1);
            char first = code.charAt(0);
            char plain = first == 'u' ? (char) Integer.parseInt(code.substring(1), 16)
                    : first == 'n' ? '\n' : first == 'r' ? '\r' : first == 't' ? '\t'
                    : first == 'b' ? '\b' : first == 'f' ? '\f' : first;
            return Matcher.quoteReplacement(String.valueOf(plain));
        });
    }

    /** A document that is a list of strings. */
    static String write(Collection<String> ids) {
        return ids.stream().map(Ids::quoted).collect(Collectors.joining(",", "[", "]"));
    }

    private static String quoted(String id) {
        StringBuilder text = new StringBuilder("\"");
        for (char c : id.toCharArray()) {
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c)) {
                text.append(String.format("\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        return text.append('"').toString();
    }

    /** The outermost class of a test. */
    static String outermostClass(String id) {
        int hash = id.indexOf('#');
        return ShardPlan.outermost(hash < 0 ? id : id.substring(0, hash));
    }
}
