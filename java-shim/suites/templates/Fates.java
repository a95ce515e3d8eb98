package inject;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.Map;

/** Which tests fail always, and which fail once; by their unique ids, and none where no file tells. */
final class Fates {
    private static final File FOLDER = new File(System.getProperty("inject.fates"));
    private static final Map<String, String> FATES = read();

    private Fates() {}

    private static Map<String, String> read() {
        Map<String, String> fates = new HashMap<>();
        File file = new File(FOLDER, "fates.txt");
        if (file.exists()) {
            try {
                for (String line : Files.readAllLines(file.toPath(), StandardCharsets.UTF_8)) {
                    int space = line.indexOf(' ');
                    fates.put(line.substring(space + 1), line.substring(0, space));
                }
            } catch (IOException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
        return fates;
    }

    /** What a test fails with now; null where it may run. */
    static AssertionError of(String unique) throws IOException {
        String fate = FATES.get(unique);
        if ("broken".equals(fate)) {
            return new AssertionError("injected: broken");
        }
        boolean isFirst = "flaky".equals(fate) && new File(FOLDER, Integer.toHexString(unique.hashCode())).createNewFile();
        return isFirst ? new AssertionError("injected: flaky") : null;
    }
}
