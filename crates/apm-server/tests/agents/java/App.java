// A service under an agent for Java, asked a few things by itself. Neither agent is named here: both instrument the
// JDK's client and JDBC; transactions come of the method that the agent is told to trace.
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;

public class App {
    static void people() throws Exception {
        try (Connection database = DriverManager.getConnection("jdbc:sqlite::memory:");
                PreparedStatement query = database.prepareStatement("SELECT 1 WHERE 1 <= ?")) {
            query.setInt(1, 7);
            query.executeQuery().close();
        }
    }

    static void broken() {
        throw new IllegalStateException("nothing is no city");
    }

    public static void main(String[] arguments) throws Exception {
        Class.forName("org.sqlite.JDBC");
        Thread.sleep(1000);
        people();
        people();
        try {
            broken();
        } catch (IllegalStateException expected) {
            // The agent has seen it.
        }
        String linger = System.getenv("LINGER");
        Thread.sleep(4000 + (linger == null ? 0 : Long.parseLong(linger) * 1000));
        System.out.println("made transaction=3");
    }
}
